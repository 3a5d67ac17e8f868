"""The one place that names the Fernet package: text that is encrypted at rest and never leaves by accident."""

from django.core.exceptions import FieldError
from fernet_fields import EncryptedTextField


class SecretField(EncryptedTextField):
    """Text encrypted with ``FERNET_KEYS`` (a list outside the database; the first key encrypts, all decrypt)."""

    def get_db_prep_save(self, value, connection):
        """Refuse expressions, except bulk_update's own CASE: the base class would encrypt their text."""
        if hasattr(value, "resolve_expression"):
            if getattr(value, "_output_field_or_none", None) is not self:
                raise FieldError("A secret cannot be set by an expression.")
            return value
        return super().get_db_prep_save(value, connection)

    def value_to_string(self, obj) -> str:
        """``dumpdata`` must not print a secret."""
        return ""
