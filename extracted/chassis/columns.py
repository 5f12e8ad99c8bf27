"""Column types that hold on SQLite exactly what Django's hold, so that rows move between them unchanged."""

import json
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

# Django's BigAutoField: SQLite numbers rows by itself only in a column declared INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")

# SQLite keeps a decimal as a double, which holds 15 significant digits and no more.
SQLITE_DIGITS = 15
_FIFTEEN_DIGITS = Context(prec=SQLITE_DIGITS)


class _SqliteDecimal(UserDefinedType[Any]):
    """`decimal`, as Django declares it: numeric affinity, so numbers compare and order as numbers."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "decimal"


class ExactDecimal(TypeDecorator[Decimal]):
    """NUMERIC(digits, places), exact on both engines: of at most 15 digits, which a double returns intact."""

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int, places: int) -> None:
        if digits > SQLITE_DIGITS:
            raise ValueError(f"{digits} digits; SQLite keeps {SQLITE_DIGITS}")
        super().__init__(digits, places)
        self.digits = digits
        self.places = places

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return _SqliteDecimal()
        return dialect.type_descriptor(Numeric(self.digits, self.places))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return f"{self._quantize(value):f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]
        return self._quantize(_FIFTEEN_DIGITS.create_decimal_from_float(value))

    def _quantize(self, value: Decimal) -> Decimal:
        try:
            return value.quantize(Decimal(1).scaleb(-self.places), context=Context(prec=self.digits))
        except InvalidOperation:
            return value  # a bound from outside the column's range: it compares all the same


class JsonText(TypeDecorator[Any]):
    """Any JSON value: jsonb, on SQLite text: a column declared JSON would turn the text `5` into a number."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else dialect.type_descriptor(JSONB())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return json.dumps(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json.loads(value) if dialect.name == "sqlite" else value


class UtcInstant(TypeDecorator[datetime]):
    """A point in time; on SQLite the text Django writes: UTC, no offset, microseconds where there are any."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return _SqliteInstant()
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return str(value.astimezone(UTC).replace(tzinfo=None))

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        return value.astimezone(UTC)  # type: ignore[no-any-return]


class _SqliteInstant(UserDefinedType[Any]):
    """`datetime`, as Django declares it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "datetime"
