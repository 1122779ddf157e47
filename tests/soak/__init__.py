"""A day of use in half an hour: clerks and citizens at work over all systems while one thing after another breaks."""
