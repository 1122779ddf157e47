"""What runs on the app servers: one Django project, one app a system, one service a system (ASP_SYSTEM)."""
