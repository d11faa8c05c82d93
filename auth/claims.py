"""What a verified token of the OpenID provider says."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Claims:
    issuer: str
    subject: str
    """Tells the issuer's users apart."""
    name: str
    """To be shown. The issuer may give it to another user one day."""
    groups: frozenset[str]
    """Of ours."""
    expires_at: datetime
    token_id: str | None
    """`jti`."""


Credential = str | Claims
"""Of a request: an API token, or what the provider's token says."""
