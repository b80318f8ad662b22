"""`alk-cds client`: an entry of the clients file with keys of its own, and a first signed call."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from pathlib import Path
from typing import Any

import click

TIMEOUT_SECONDS = 30
TOKEN_SECONDS = 300
ALGORITHM = "ES384"


@click.group()
def command() -> None:
    """Make a client entry with keys, and try a first signed call."""


@command.command()
@click.argument("name")
@click.option("--iss", required=True, help="What the client calls itself in its tokens.")
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the key and the entry; it is made where it is not there.",
)
def new(name: str, iss: str, to: Path) -> None:
    """Make keys for the client NAME, and its entry for the clients file.

    For trying out, or for a client that makes no keys of its own. The private key is the
    client's: hand it over by a safe way and delete it here. A file that is there is kept.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from jwt.algorithms import ECAlgorithm

    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not short:
        raise click.ClickException("the name needs a letter or a digit")
    key = ec.generate_private_key(ec.SECP384R1())
    kid = uuid.uuid4().hex
    public = {**json.loads(ECAlgorithm.to_jwk(key.public_key())), "kid": kid, "alg": ALGORITHM}
    entry = {"clients": [{"name": name, "iss": iss, "jwks": {"keys": [public]}}]}
    private = {**json.loads(ECAlgorithm.to_jwk(key)), "kid": kid, "iss": iss}
    secret, shown = to / f"{short}.private.json", to / f"{short}.yaml"
    for file in (secret, shown):
        if file.exists():
            raise click.ClickException(f"{file} is there already: move it, or name another folder")
    try:
        to.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(secret, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
            out.write(json.dumps(private) + "\n")
        shown.write_text(_yaml(entry), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{to} cannot be written: {error.strerror}") from None
    click.echo(f"{shown}: the entry; add it to the file that ALK_CDS_CLIENTS_FILE names")
    click.echo(f"{secret}: the private key, readable by you only")
    click.echo(f"Then: alk-cds client try {secret} --url https://cds.example.org")


@command.command("try")
@click.argument("key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", required=True, help="Public address of the service (ALK_CDS_PUBLIC_URL).")
def try_it(key: Path, url: str) -> None:
    """Ask the service for its list with a token signed by KEY, as `client new` made it.

    Ends with 1 when the service does not let the client in.
    """
    import requests

    address = f"{url.rstrip('/')}/cds-services"
    headers = {"Authorization": f"Bearer {_token(key, address)}"}
    try:
        answer = requests.get(address, headers=headers, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise click.ClickException(f"{address} does not answer: {type(error).__name__}") from None
    if answer.status_code == 200:
        names = ", ".join(str(item["id"]) for item in answer.json()["services"])
        click.echo(f"Let in. Services: {names}")
        return
    if answer.status_code == 401:
        raise click.ClickException(
            "Refused (401). Is the entry in the clients file, the service started since, this"
            " address its ALK_CDS_PUBLIC_URL, and the clock right? Its log names the reason"
        )
    raise click.ClickException(f"The service answered with status {answer.status_code}")


def _token(file: Path, audience: str) -> str:
    import jwt

    try:
        key = dict(json.loads(file.read_text(encoding="utf-8")))
        signing = jwt.PyJWK(key, algorithm=ALGORITHM)
        issuer, kid = key["iss"], key["kid"]
    except (OSError, ValueError, TypeError, KeyError, jwt.PyJWTError):
        raise click.ClickException(f"{file} is no key that `alk-cds client new` made") from None
    now = int(time.time())
    claims = {"iss": issuer, "aud": audience, "iat": now, "exp": now + TOKEN_SECONDS,
              "jti": str(uuid.uuid4())}  # fmt: skip
    return jwt.encode(claims, signing.key, algorithm=ALGORITHM, headers={"kid": kid})


def _yaml(entry: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(entry, sort_keys=False))
