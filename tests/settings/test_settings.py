"""Settings: what may be set, what is refused, and what a refusal says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cds_service.settings import Settings, SettingsError, load_settings

SECRET = "a-secret-that-must-never-be-printed-0123456789"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ALK_CDS_"):
            monkeypatch.delenv(name)


@pytest.fixture
def clients_file(tmp_path: Path) -> Path:
    path = tmp_path / "clients.yaml"
    path.write_text("clients: []\n", encoding="utf-8")
    return path


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, clients_file: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ALK_CDS_PUBLIC_URL", "https://cds.example.org/")
    monkeypatch.setenv("ALK_CDS_CLIENTS_FILE", str(clients_file))
    monkeypatch.setenv("ALK_CDS_LINK_SECRET", SECRET)
    return monkeypatch


def test_a_complete_production_environment_is_accepted(production: pytest.MonkeyPatch) -> None:
    settings = load_settings()

    assert settings.environment == "production"
    assert settings.public_url == "https://cds.example.org"
    assert settings.link_secret is not None
    assert settings.link_secret.get_secret_value() == SECRET


def test_the_default_environment_is_production_and_names_what_it_lacks() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings()

    message = str(caught.value)
    for variable in ("PUBLIC_URL", "CLIENTS_FILE", "LINK_SECRET"):
        assert f"ALK_CDS_{variable}" in message


def test_development_needs_nothing_else() -> None:
    settings = load_settings(environment="development")

    assert settings.bind == "127.0.0.1:8000"
    assert settings.database_url == "sqlite:///./alk-cds.sqlite3"
    assert settings.jurisdiction == "US"
    assert settings.zone.key == "UTC"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALK_CDS_ENVIRONMENT", "staging"),
        ("ALK_CDS_PUBLIC_URL", "cds.example.org"),
        ("ALK_CDS_PUBLIC_URL", "https://user:word@cds.example.org"),
        ("ALK_CDS_BIND", "8000"),
        ("ALK_CDS_UNSIGNED_PROFILE", "epyc"),
        ("ALK_CDS_BIND", "127.0.0.1:70000"),
        ("ALK_CDS_WORKERS", "0"),
        ("ALK_CDS_WORKERS", "two"),
        ("ALK_CDS_DATABASE_URL", "alk.sqlite3"),
        ("ALK_CDS_CLIENTS_FILE", "/nowhere/clients.yaml"),
        ("ALK_CDS_CORS_ORIGINS", "https://ehr.example.org/app"),
        ("ALK_CDS_CORS_ORIGINS", "clinic.example.net"),
        ("ALK_CDS_FHIR_DEADLINE_SECONDS", "0"),
        ("ALK_CDS_ALLOW_PRIVATE_FHIR_SERVERS", "maybe"),
        ("ALK_CDS_MAX_BODY_BYTES", "-1"),
        ("ALK_CDS_MAX_CARDS", "0"),
        ("ALK_CDS_JURISDICTION", "Atlantis"),
        ("ALK_CDS_LINK_SECRET", "too short"),
        ("ALK_CDS_LINK_SECRET_FILE", "/nowhere/secret"),
        ("ALK_CDS_LINK_LIFETIME_HOURS", "0"),
        ("ALK_CDS_TOKEN_ALGORITHMS", "none"),
        ("ALK_CDS_TOKEN_ALGORITHMS", "ES384, HS256"),
        ("ALK_CDS_TOKEN_ALGORITHMS", " , "),
        ("ALK_CDS_TOKEN_LEEWAY_SECONDS", "61"),
        ("ALK_CDS_TOKEN_MAX_LIFE_SECONDS", "100000"),
        ("ALK_CDS_REDIS_URL", "http://cache.example.org"),
        ("ALK_CDS_REDIS_URL_FILE", "/nowhere/redis"),
        ("ALK_CDS_DATABASE_URL_FILE", "/nowhere/database"),
        ("ALK_CDS_RATE_LIMIT", "often"),
        ("ALK_CDS_REFUSED_RATE_LIMIT", "0/second"),
        ("ALK_CDS_MAX_JSON_DEPTH", "3"),
        ("ALK_CDS_MAX_RESOURCES", "0"),
        ("ALK_CDS_REQUEST_DEADLINE_SECONDS", "0"),
        ("ALK_CDS_RETENTION_DAYS", "0"),
        ("ALK_CDS_LABORATORY_DEFAULTS_FILE", "/nowhere/limits.yaml"),
        ("ALK_CDS_LOCAL_CODES_FILE", "/nowhere/codes.yaml"),
        ("ALK_CDS_TIMEZONE", "Europe/Atlantis"),
        ("ALK_CDS_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_value_is_refused_under_its_variable_name_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("ALK_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert list(caught.value.problems) == [variable]
    assert f"{variable}: " in str(caught.value)
    if len(value) > 4:
        assert value not in str(caught.value)


def test_a_misspelt_variable_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALK_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv("ALK_CDS_TIME_ZONE", "Europe/Berlin")

    with pytest.raises(SettingsError, match="ALK_CDS_TIME_ZONE: is not a setting"):
        load_settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALK_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv("ALK_CDS_PUBLIC_URL", "")

    assert load_settings().public_url is None


def test_origins_are_split_at_commas(production: pytest.MonkeyPatch) -> None:
    production.setenv("ALK_CDS_CORS_ORIGINS", "https://a.example.org, http://localhost:8080")

    assert load_settings().cors_origins == ("https://a.example.org", "http://localhost:8080")


def test_no_environment_opens_the_service_to_every_web_page(
    production: pytest.MonkeyPatch,
) -> None:
    production.setenv("ALK_CDS_CORS_ORIGINS", "*")

    for environment in ("production", "development"):
        production.setenv("ALK_CDS_ENVIRONMENT", environment)
        with pytest.raises(SettingsError, match="ALK_CDS_CORS_ORIGINS"):
            load_settings()


def test_the_link_secret_is_read_from_a_file(
    production: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "link_secret"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    production.delenv("ALK_CDS_LINK_SECRET")
    production.setenv("ALK_CDS_LINK_SECRET_FILE", str(path))

    secret = load_settings().link_secret

    assert secret is not None
    assert secret.get_secret_value() == SECRET


def test_two_link_secrets_are_refused(production: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "link_secret"
    path.write_text(f"{SECRET}-another", encoding="utf-8")
    production.setenv("ALK_CDS_LINK_SECRET_FILE", str(path))

    with pytest.raises(SettingsError, match="both set"):
        load_settings()


def test_an_empty_secret_file_does_not_count_as_a_secret(
    production: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "link_secret"
    path.write_text("\n", encoding="utf-8")
    production.delenv("ALK_CDS_LINK_SECRET")
    production.setenv("ALK_CDS_LINK_SECRET_FILE", str(path))

    with pytest.raises(SettingsError, match="ALK_CDS_LINK_SECRET must be set in production"):
        load_settings()


def test_secrets_and_the_database_address_are_never_printed(
    production: pytest.MonkeyPatch,
) -> None:
    production.setenv("ALK_CDS_DATABASE_URL", f"postgresql://cds:{SECRET}@database/cds")
    settings = load_settings()

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_settings_cannot_be_changed_after_the_start() -> None:
    settings = load_settings(environment="development")

    with pytest.raises(ValueError, match="frozen"):
        settings.environment = "production"


def test_every_setting_is_described_for_the_documentation() -> None:
    rows = Settings.describe()

    assert [row.variable for row in rows] == [f"ALK_CDS_{n.upper()}" for n in Settings.model_fields]
    assert all(row.description.endswith(".") for row in rows)
    kinds = {row.variable: row.kind for row in rows}
    assert kinds["ALK_CDS_CORS_ORIGINS"] == "list, comma-separated"
    assert kinds["ALK_CDS_ENVIRONMENT"] == "one of production, development"
    assert kinds["ALK_CDS_CLIENTS_FILE"] == "file"
    assert kinds["ALK_CDS_LINK_SECRET"] == "secret"
    defaults = {row.variable: row.default for row in rows}
    assert defaults["ALK_CDS_PUBLIC_URL"] == "not set"
    assert defaults["ALK_CDS_ALLOW_PRIVATE_FHIR_SERVERS"] == "false"


def test_concept_maps_are_a_list_of_places_that_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "map.json"
    file.write_text("{}", encoding="utf-8")
    monkeypatch.setenv("ALK_CDS_CONCEPT_MAPS", f"{file}, {tmp_path}")
    assert load_settings(environment="development").concept_maps == (file, tmp_path)
    monkeypatch.setenv("ALK_CDS_CONCEPT_MAPS", f"{file},{tmp_path}/none")
    with pytest.raises(SettingsError, match="CONCEPT_MAPS: must name files or folders"):
        load_settings(environment="development")


def test_the_local_code_file_has_to_be_readable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ALK_CDS_LOCAL_CODES_FILE", str(tmp_path / "none.yaml"))
    with pytest.raises(SettingsError, match="LOCAL_CODES_FILE: must name a readable text file"):
        load_settings(environment="development")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", f"postgresql://cds:{SECRET}@database/cds"),
        ("redis_url", f"rediss://:{SECRET}@cache/0"),
    ],
)
def test_an_address_with_a_password_is_read_from_a_file_and_never_printed(
    production: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    path = tmp_path / name
    path.write_text(f"{value}\n", encoding="utf-8")
    production.setenv(f"ALK_CDS_{name.upper()}_FILE", str(path))

    settings = load_settings()

    found = getattr(settings, name)
    assert (found if isinstance(found, str) else found.get_secret_value()) == value
    assert SECRET not in repr(settings)


def test_the_file_with_the_database_comes_before_the_address_that_the_image_sets(
    production: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "database"
    path.write_text("postgresql://database/cds", encoding="utf-8")
    production.setenv("ALK_CDS_DATABASE_URL", "sqlite:////data/alk-cds.sqlite3")
    production.setenv("ALK_CDS_DATABASE_URL_FILE", str(path))

    assert load_settings().database_url == "postgresql://database/cds"
    assert load_settings(database_url="sqlite:///here").database_url == "sqlite:///here"


def test_two_addresses_of_redis_are_refused(production: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "redis"
    path.write_text("redis://one/0", encoding="utf-8")
    production.setenv("ALK_CDS_REDIS_URL", "redis://two/0")
    production.setenv("ALK_CDS_REDIS_URL_FILE", str(path))

    with pytest.raises(SettingsError, match="ALK_CDS_REDIS_URL_FILE are both set"):
        load_settings()


def test_the_request_may_take_longer_than_the_fhir_server(production: pytest.MonkeyPatch) -> None:
    production.setenv("ALK_CDS_FHIR_DEADLINE_SECONDS", "10")

    with pytest.raises(SettingsError, match="REQUEST_DEADLINE_SECONDS must be longer"):
        load_settings()


def test_algorithms_may_be_added_and_taken_away(production: pytest.MonkeyPatch) -> None:
    assert load_settings().token_algorithms == ("ES384", "RS384")

    production.setenv("ALK_CDS_TOKEN_ALGORITHMS", "ES384, PS256")

    assert load_settings().token_algorithms == ("ES384", "PS256")


def test_every_setting_that_has_no_default_says_what_is_lost_without_it() -> None:
    rows = Settings.describe()

    unset = [row for row in rows if row.default == "not set" and "list" not in row.kind]
    assert len(unset) > 10
    assert [row.variable for row in unset if not row.without] == []


def test_the_settings_that_hold_secrets_are_marked_and_never_printed(
    production: pytest.MonkeyPatch,
) -> None:
    marked = {row.variable for row in Settings.describe() if row.is_secret}

    assert marked == {
        "ALK_CDS_DATABASE_URL",
        "ALK_CDS_LINK_SECRET",
        "ALK_CDS_METRICS_TOKEN",
        "ALK_CDS_REDIS_URL",
    }
    production.setenv("ALK_CDS_DATABASE_URL", "postgresql://alk:hidden-word@db.example.org/alk")
    assert "hidden-word" not in repr(load_settings())
    assert SECRET not in repr(load_settings())
