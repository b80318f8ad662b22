"""What an operator meets: server, logs, numbers, health, the doctor, and how people are named."""
