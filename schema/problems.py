"""What payloads tell of an input that was refused."""

import strawberry

from models.errors import Refused


@strawberry.type(description="Why nothing was done. docs/errors.md lists the codes.")
class UserError:
    code: str = strawberry.field(description="For programs, such as REQUIRED or WRONG_CREDENTIALS.")
    field: str | None = strawberry.field(description="The field of the input that is to be changed, if it is one.")
    message: str = strawberry.field(description="For people: what is wrong, and what would do.")

    @classmethod
    def from_refusal(cls, refusal: Refused) -> "UserError":
        return cls(code=refusal.code, field=refusal.field, message=str(refusal))
