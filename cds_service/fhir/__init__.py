"""FHIR R4 in and out: reading, terminology, units, dates, the client, outgoing resources.

Nothing here knows a clinical rule. Input is read leniently and reported on; output is validated.
"""
