"""What runs on the app servers: one Django project with one app and one service for each system (ASP_SYSTEM)."""
