"""What the service knows, as tables that a pharmacist can review, and their loaders."""
