"""What the serializers of the API share: no field is taken that is not listed."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

_SHOWN_CHARACTERS = 40


class ListedFieldsOnly(serializers.Serializer[Any]):
    """Refuse a body that names a field this resource does not let callers write.

    Ignoring it would let a typo, or a wish to set `state`, pass for a success.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Return the parsed fields; raises ValidationError that names the field."""
        if isinstance(data, Mapping):
            taken = [name for name, one in self.fields.items() if not one.read_only]
            for name in sorted(map(str, data)):
                if name not in taken:
                    raise serializers.ValidationError(
                        {
                            name[:_SHOWN_CHARACTERS]: [
                                "This field cannot be set; "
                                + (
                                    f"what can: {', '.join(taken)}."
                                    if taken
                                    else "this address takes none."
                                )
                            ]
                        }
                    )
        return super().to_internal_value(data)


class Nothing(ListedFieldsOnly):
    """The body of an act that takes no field."""
