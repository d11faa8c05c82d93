"""Whose a request is: by an API token, or by a token of the OpenID provider, whose users are made at first sight."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from auth.audit import Actor, note
from auth.claims import Claims, Credential
from auth.openid import Provider, is_jwt
from auth.tokens import hash_token
from auth.viewer import Viewer
from models import Action, ApiToken, Group, GroupPermission, User, UserGroup
from models.database import Database, Reader
from models.errors import Unauthenticated
from models.identity import Permission
from models.statement import spread

AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S+)", re.IGNORECASE)
"""`Bearer` as RFC 6750 has it, `Token` as the portal app's clients send it."""


def token_of_header(authorization: str) -> str:
    """Raises Unauthenticated where the header is of another kind."""
    found = AUTHORIZATION.fullmatch(authorization.strip())
    if found is None:
        raise Unauthenticated('Authorization must be "Bearer <token>" or "Token <token>".')
    return found[1]


TOKEN_COLUMNS: Sequence[Any] = (
    ApiToken.token_hash,
    ApiToken.user_id,
    User.name,
    User.is_disabled,
    ApiToken.name,
    ApiToken.scopes,
    ApiToken.expires_at,
    ApiToken.revoked_at,
)
FIND_USERS = select(User.subject, User.id, User.name, User.is_disabled).where(
    User.issuer == bindparam("issuer"), User.subject.in_(bindparam("subjects", expanding=True))
)
GROUPS = select(Group.name, GroupPermission.permission).join(GroupPermission, GroupPermission.group_id == Group.id)

TOKENS_A_STATEMENT = 500

DISABLED = "This user is disabled. An administrator can enable it again."


Found = dict[Any, Viewer | Unauthenticated]
"""By credential, whose it is, or why it is not valid."""


async def authenticate(database: Database, token: str, provider: Provider | None = None) -> Viewer:
    """Tokens of requests that come together are looked up together.

    Raises Unauthenticated for a token that is unknown, revoked, expired or forged, and ProviderUnavailable.
    """
    credential: Credential = token
    if provider is not None and is_jwt(token):
        credential = await provider.verify(token)
    try:
        return await database.together(_authenticate_together, credential)
    except UnknownUser:
        assert isinstance(credential, Claims)
        await _make_user(database, credential)
        return await database.together(_authenticate_together, credential)


async def _authenticate_together(database: Database, credentials: Sequence[Credential]) -> list[Viewer | Exception]:
    found = await authenticate_all(database.following, credentials)
    return [found[credential] for credential in credentials]


async def authenticate_all(reader: Reader, credentials: Sequence[Credential]) -> Found:
    """Asks nobody but the database."""
    tokens = [each for each in credentials if isinstance(each, str)]
    claims = [each for each in credentials if isinstance(each, Claims)]
    viewers: Found = await _by_tokens(reader, tokens) if tokens else {}
    return viewers | await _by_claims(reader, claims) if claims else viewers


class TokenRow(NamedTuple):
    """With TOKEN_COLUMNS."""

    token_hash: str
    user_id: int
    user_name: str
    is_disabled: bool
    token_name: str
    scopes: str | None
    expires_at: datetime | None
    revoked_at: datetime | None


def find_tokens(places: int) -> Select[Any]:
    """A row for each permission that the groups of a token's user give, or one without a permission."""
    hashes = [bindparam(f"hash_{place}", type_=Text) for place in range(places)]
    return (
        select(*TOKEN_COLUMNS, GroupPermission.permission)
        .join(User, User.id == ApiToken.user_id)
        .outerjoin(UserGroup, UserGroup.user_id == User.id)
        .outerjoin(GroupPermission, GroupPermission.group_id == UserGroup.group_id)
        .where(ApiToken.token_hash.in_(hashes))
    )


async def _by_tokens(reader: Reader, tokens: Sequence[str]) -> Found:
    viewers: Found = {}
    for start in range(0, len(tokens), TOKENS_A_STATEMENT):
        by_hash = {hash_token(token): token for token in tokens[start : start + TOKENS_A_STATEMENT]}
        hashes = spread("hash", by_hash)
        granted: dict[TokenRow, set[Permission]] = {}
        for *row, permission in await reader.fetch(("tokens", len(hashes)), partial(find_tokens, len(hashes)), hashes):
            permissions = granted.setdefault(TokenRow(*row), set())
            if permission is not None:
                permissions.add(permission)
        found = {row.token_hash: row for row in granted}
        for token_hash, token in by_hash.items():
            viewers[token] = _viewer(token, found.get(token_hash), granted)
    return viewers


def _viewer(
    token: str, found: TokenRow | None, granted: Mapping[TokenRow, set[Permission]]
) -> Viewer | Unauthenticated:
    if found is None or found.revoked_at is not None:
        return Unauthenticated("This API token is unknown or was revoked. Ask for a new one.")
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        return Unauthenticated(f"This API token expired on {found.expires_at:%Y-%m-%d %H:%M} UTC. Ask for a new one.")
    if found.is_disabled:
        return Unauthenticated(DISABLED)
    permissions = frozenset(granted[found])
    if found.scopes is not None:
        permissions &= {Permission(scope) for scope in found.scopes.split()}
    return Viewer(found.user_id, found.user_name, permissions, found.token_name, found.scopes is not None, token)


class UnknownUser(Unauthenticated):
    """The provider vouches for a user whom we do not know yet, or no longer."""


async def _by_claims(reader: Reader, claims: Sequence[Claims]) -> Found:
    """Permissions are those of the groups in the claims; who is expired has none."""
    viewers: Found = {}
    granted: dict[str, set[Permission]] = {}
    users: dict[str | None, Any] = {}
    async with reader.read() as connection:
        for group, permission in await connection.execute(GROUPS):
            granted.setdefault(group, set()).add(permission)
        for start in range(0, len(claims), TOKENS_A_STATEMENT):
            subjects = [each.subject for each in claims[start : start + TOKENS_A_STATEMENT]]
            found = await connection.execute(FIND_USERS, {"issuer": claims[0].issuer, "subjects": subjects})
            users |= {row.subject: row for row in found}
    for each in claims:
        user = users.get(each.subject)
        if each.expires_at <= datetime.now(UTC):
            viewers[each] = Unauthenticated("This token of the OpenID provider has expired. Sign in again.")
        elif user is None:
            viewers[each] = UnknownUser("This user of the OpenID provider was removed.")
        elif user.is_disabled:
            viewers[each] = Unauthenticated(DISABLED)
        else:
            permissions = frozenset[Permission]().union(*(granted.get(group, ()) for group in each.groups))
            viewers[each] = Viewer(user.id, user.name, permissions, each.token_id, credential=each)
    return viewers


async def _make_user(database: Database, claims: Claims) -> None:
    """So that dams, quotas and logs have somebody. A name that is taken, as by an administrator, is made longer."""
    for name in (claims.name, f"{claims.name} ({claims.issuer})", f"{claims.subject} ({claims.issuer})"):
        values = {"name": name, "issuer": claims.issuer, "subject": claims.subject}
        try:
            async with database.write() as connection:
                await connection.execute(insert(User), values)
                await note(connection, Actor(claims.issuer), Action.USER_ADDED, name, claims.subject)
        except IntegrityError:
            if not isinstance((await authenticate_all(database, [claims]))[claims], UnknownUser):
                return  # by another request, meanwhile
        else:
            return
