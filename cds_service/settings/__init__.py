"""Settings of the service: one table, which the code, the pages and the doctor share.

A setting is a field with its type, its default and a description; it says what is lost without it
where there is no default that serves, and whether it is a secret. `Settings.describe` lists them.
"""

from cds_service.settings.loading import SettingsError, load_settings
from cds_service.settings.rows import SettingRow
from cds_service.settings.whole import PREFIX, Settings

__all__ = ["PREFIX", "SettingRow", "Settings", "SettingsError", "load_settings"]
