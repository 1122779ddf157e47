"""What a readiness run tells: report pages, JUnit, terminal."""
