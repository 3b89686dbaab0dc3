"""The gRPC side of inspection: its calls by topic, as one servicer."""

from typing import Final

from shilian.inspection.v1 import inspection_pb2 as pb
from shilian.inspection.v1 import inspection_pb2_grpc

from chassis.api.server import Service
from services.inspection.cases.calls import CaseCalls
from services.inspection.checks.calls import CheckCalls
from services.inspection.results.calls import ResultCalls
from services.inspection.risk.calls import RiskCalls
from services.inspection.tasks.calls import TaskCalls


class InspectionServicer(
    TaskCalls, CaseCalls, ResultCalls, CheckCalls, RiskCalls, inspection_pb2_grpc.InspectionServiceServicer
):
    """All calls of `InspectionService`."""


SERVICE: Final = Service(
    pb.DESCRIPTOR.services_by_name["InspectionService"],
    inspection_pb2_grpc.add_InspectionServiceServicer_to_server,
    InspectionServicer,
)
