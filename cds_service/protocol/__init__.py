"""HL7 CDS Hooks 2.0.1, server side: who calls, what arrived, and how it is answered.

This room knows nothing clinical. A service is a :class:`Service` with a handler that turns a
:class:`HookCall` into a :class:`CdsResponse`; :func:`create_blueprint` puts a
:class:`ServiceRegistry` of them on the web.
"""

from __future__ import annotations

from cds_service.protocol.adaptation import adapted
from cds_service.protocol.blueprint import Served, create_blueprint
from cds_service.protocol.bodies import ReadableBodies
from cds_service.protocol.body_limits import BodyLimits
from cds_service.protocol.call import read_call
from cds_service.protocol.client_habits import ClientHabits, ready_profiles
from cds_service.protocol.clients import (
    Client,
    ClientProfile,
    ClientsFileError,
    read_clients,
)
from cds_service.protocol.description import api_description, api_description_json
from cds_service.protocol.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    ProtocolError,
    ServiceUnavailable,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
    UnsupportedMediaType,
    operation_outcome,
)
from cds_service.protocol.hook_call import HookCall
from cds_service.protocol.models_request import FeedbackItem, FeedbackRequest, HookRequest
from cds_service.protocol.models_response import (
    Action,
    Card,
    CdsResponse,
    Coding,
    Discovery,
    Link,
    OverrideReason,
    ServiceDescription,
    Source,
    Suggestion,
    is_relative_reference,
)
from cds_service.protocol.past_time import PastTime
from cds_service.protocol.prefetch import PrefetchTemplate, lint, resolve
from cds_service.protocol.rate_limits import RateLimits
from cds_service.protocol.registry import RegistryError, Service, ServiceRegistry
from cds_service.protocol.security import (
    Authenticator,
    DevelopmentAuthenticator,
    JwtAuthenticator,
    MemoryReplayStore,
    ReplayStore,
    ReplayStoreError,
)
from cds_service.protocol.slashes import CollapseSlashes

__all__ = [
    "Action",
    "Authenticator",
    "BadRequest",
    "BodyLimits",
    "Card",
    "CdsResponse",
    "Client",
    "ClientHabits",
    "ClientProfile",
    "ClientsFileError",
    "Coding",
    "CollapseSlashes",
    "DevelopmentAuthenticator",
    "Discovery",
    "FeedbackItem",
    "FeedbackRequest",
    "Forbidden",
    "HookCall",
    "HookRequest",
    "InternalError",
    "JwtAuthenticator",
    "Link",
    "MemoryReplayStore",
    "MethodNotAllowed",
    "NotFound",
    "OverrideReason",
    "PastTime",
    "PreconditionFailed",
    "PrefetchTemplate",
    "ProtocolError",
    "RateLimits",
    "ReadableBodies",
    "RegistryError",
    "ReplayStore",
    "ReplayStoreError",
    "Served",
    "Service",
    "ServiceDescription",
    "ServiceRegistry",
    "ServiceUnavailable",
    "Source",
    "Suggestion",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "Unprocessable",
    "UnsupportedMediaType",
    "adapted",
    "api_description",
    "api_description_json",
    "create_blueprint",
    "is_relative_reference",
    "lint",
    "operation_outcome",
    "read_call",
    "read_clients",
    "ready_profiles",
    "resolve",
]
