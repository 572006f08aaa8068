"""What can be done to a dataset, each as anybody would try it."""

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from gemmule.accounts.models import User
from gemmule.catalog import services
from gemmule.catalog.models import Dataset
from gemmule.demo import cast
from tests.gemmule.catalog.callsets import DESCRIPTION

# Each act as any person would try it; the state is right for none of them, but who
# may act is asked before that.
ACTS: dict[str, Callable[[User, Dataset, datetime], Any]] = {
    "register": lambda user, dataset, now: services.register_dataset(
        user=user, description=DESCRIPTION, now=now
    ),
    "describe": lambda user, dataset, now: services.describe_dataset(
        user=user, dataset=dataset, description=DESCRIPTION
    ),
    "upload_file": lambda user, dataset, now: services.upload_file(
        user=user, dataset=dataset, stream=io.BytesIO(b"x"), original_name="x", now=now
    ),
    "remove_file": lambda user, dataset, now: services.remove_file(
        user=user, dataset=dataset, number=1
    ),
    "upload_map": lambda user, dataset, now: services.upload_sample_map(
        user=user, dataset=dataset, data=b"", now=now
    ),
    "make_donors": lambda user, dataset, now: services.make_donors(
        user=user, dataset=dataset, now=now
    ),
    "confirm_map": lambda user, dataset, now: services.confirm_sample_map(
        user=user, dataset=dataset, map_sha256="", now=now
    ),
    "reopen": lambda user, dataset, now: services.reopen_dataset(
        user=user, dataset=dataset
    ),
    "state_build": lambda user, dataset, now: services.state_build(
        user=user, dataset=dataset, password=cast.PASSWORD, now=now
    ),
    "publish": lambda user, dataset, now: services.publish_dataset(
        user=user, dataset=dataset, now=now
    ),
}
