"""What self-built systems send: type → model and mapping."""

from typing import Final

from contracts import docking
from services.adapters.adapt import Format
from services.adapters.docking import mapping

FORMATS: Final = {
    "docking.operator_sync.v1": Format(docking.OperatorSyncV1, mapping.operator),
    "docking.capture.v1": Format(docking.CaptureV1, mapping.capture),
    "docking.declare_errors.v1": Format(docking.DeclareErrorsV1, mapping.declaration),
}
