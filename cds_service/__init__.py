"""Decision support for ALK-positive lung cancer over HL7 CDS Hooks."""
