"""Scopes of the reporting API (published OpenAPI document, 2026-08)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scope(NamedTuple):
    """The members that queries of one scope may use."""

    measures: tuple[str, ...]
    """Empty if the list is not completely known."""
    dimensions: tuple[str, ...]
    """Empty if the list is not completely known."""
    time_dimensions: tuple[str, ...]
    """The default comes first. Empty if none is public: then each period takes a query
    of its own."""
    sort_members: tuple[str, ...]
    """Members that rows can be sorted by."""


def _scope(
    measures: str, dimensions: str, time_dimensions: str, sort_members: str
) -> Scope:
    names = (measures, dimensions, time_dimensions, sort_members)
    return Scope(*(tuple(members.split()) for members in names))


_STORES = "integrationId storeId storeIntegrationId"
_BASE = f"ticketId agentId channel {_STORES}"
_INTENTS = (
    "aiIntentCustomField aiIntentCustomFieldL1 aiIntentCustomFieldL2 "
    "aiIntentCustomFieldL3"
)
_CREATED = "createdDatetime"
_CLOSED = "closedDatetime"
_SENT = "sentDatetime"
_ANSWERED = "firstAgentMessageDatetime"
_PERIOD = "periodStart"

_BY_CREATION = _scope(
    "ticketCount", _BASE, f"{_CREATED} {_PERIOD}", f"ticketId {_CREATED} ticketCount"
)
_BY_CLOSING = _scope(
    "ticketCount",
    _BASE,
    f"{_CLOSED} {_CREATED} {_PERIOD}",
    f"ticketId {_CREATED} {_CLOSED} ticketCount",
)
_FIRST_RESPONSE = "medianFirstResponseTime averageFirstResponseTime"
_BY_EVENT = _scope("", "", "eventDatetime", "eventDatetime")
_BY_EVENT_NAMES = (
    *(
        f"ai-agent-{name}"
        for name in (
            "automated-interactions",
            "coverage-rate",
            "csat",
            "decrease-in-first-response-time",
            "decrease-in-resolution-time",
            "handover-rate",
            "success-rate",
            "ticket-fields",
            "time-saved",
        )
    ),
    *(
        f"ai-sales-agent-{name}"
        for name in (
            "activity",
            "buy-through-rate",
            "contribution-to-total-sales",
            "conversion-rate",
            "discounts",
            "orders-performance",
        )
    ),
    *(
        f"overall-{name}"
        for name in (
            "automated-interactions",
            "automation-rate",
            "decrease-in-first-response-time",
            "decrease-in-resolution-time",
            "time-saved-by-agent",
        )
    ),
    "flow-dataset",
    "handover-interactions",
)

SCOPES: Mapping[str, Scope] = {
    "tickets-created": _BY_CREATION,
    "tickets-open": _BY_CREATION,
    "tickets-replied": _BY_CREATION._replace(
        time_dimensions=(_SENT, _CREATED, _PERIOD)
    ),
    "tickets-closed": _BY_CLOSING,
    "one-touch-tickets": _BY_CLOSING,
    "zero-touch-tickets": _BY_CLOSING,
    "workload-tickets": _scope(
        "ticketCount", "ticketId channel", "", "ticketId ticketCount"
    ),
    "ticket-status-breakdown": _scope(
        "total inbound outbound spam inboundOpen inboundClosed inboundReopened "
        "inboundTrashed inboundDeleted outboundOpen outboundClosed outboundReopened "
        "outboundTrashed outboundDeleted",
        "ticketId agentId channel integrationId storeId",
        f"{_CREATED} {_PERIOD}",
        f"ticketId {_CREATED} total inbound outbound",
    ),
    "first-response-time": _scope(
        _FIRST_RESPONSE,
        f"{_BASE} firstResponseTime {_INTENTS}",
        f"{_ANSWERED} {_CREATED} {_PERIOD}",
        f"ticketId {_FIRST_RESPONSE} {_CREATED} {_ANSWERED}",
    ),
    "human-first-response-time": _scope(
        _FIRST_RESPONSE,
        f"{_BASE} firstResponseTime",
        f"{_ANSWERED} {_CREATED} {_PERIOD}",
        f"ticketId {_FIRST_RESPONSE} {_CREATED} {_ANSWERED}",
    ),
    "response-time": _scope(
        "medianResponseTime",
        _BASE,
        f"{_CREATED} {_PERIOD}",
        f"ticketId {_CREATED} medianResponseTime",
    ),
    "resolution-time": _scope(
        "medianResolutionTime averageResolutionTime",
        f"{_BASE} resolutionTime {_INTENTS}",
        f"{_CREATED} {_CLOSED} {_PERIOD}",
        f"ticketId {_CREATED} medianResolutionTime averageResolutionTime",
    ),
    "ticket-handle-time": _scope(
        "averageHandleTime handleTime",
        f"{_BASE} handleTime",
        f"{_CREATED} {_CLOSED} {_PERIOD}",
        "ticketId handleTime averageHandleTime",
    ),
    "messages-sent": _scope(
        "messagesCount", _BASE, f"{_SENT} {_PERIOD}", "ticketId messagesCount"
    ),
    "messages-received": _scope(
        "messagesCount", _BASE, f"{_SENT} {_PERIOD}", f"ticketId messagesCount {_SENT}"
    ),
    "messages-per-ticket": _scope(
        "averageMessagesCount",
        f"{_BASE} messagesCount",
        f"{_CREATED} {_CLOSED} {_PERIOD}",
        f"ticketId {_CREATED} messagesCount averageMessagesCount",
    ),
    "satisfaction-surveys": _scope(
        "averageSurveyScore scoredSurveysCount responseRate satisfactionScore "
        "sentSurveysCount",
        f"{_BASE} surveyScore",
        f"{_CREATED} {_SENT} {_PERIOD}",
        f"ticketId {_CREATED} {_CLOSED} {_SENT} surveyScore averageSurveyScore "
        "scoredSurveysCount",
    ),
    "tags": _scope(
        "ticketCount",
        "ticketId agentId channel integrationId storeId tagId",
        "timestamp",
        "ticketId timestamp ticketCount",
    ),
    "ticket-fields": _scope(
        "ticketCount",
        "customFieldValue",
        "updatedDatetime",
        "ticketCount customFieldValue",
    ),
    "ticket-sla": _scope(
        "ticketCount slaAchievementRate",
        "status channel storeId storeIntegrationId slaPolicyUuid",
        f"anchorDatetime {_CREATED} {_PERIOD}",
        "ticketCount",
    ),
    "auto-qa": _scope(
        "ticketCount averageResolutionCompletenessScore "
        "averageCommunicationSkillsScore averageLanguageProficiencyScore "
        "averageAccuracyScore averageEfficiencyScore averageInternalComplianceScore "
        "averageBrandVoiceScore",
        "ticketId agentId channel integrationId storeId ticketQAScorerUserId",
        "",
        "ticketId ticketCount",
    ),
    "knowledge-insights": _scope(
        "averageSurveyScore ticketCount interactionsCount",
        "ticketId resourceType resourceSourceId resourceSourceSetId resourceVersion "
        f"customFieldTop2LevelsValue {_CREATED}",
        "",
        "",
    ),
    "online-time": _scope("onlineTime", "agentId", "", "onlineTime"),
    "help-center": _scope(
        "articleViewCount searchRequestedCount articleCount searchRequestedQueryCount "
        "searchArticlesClickedCount uniqueSearchArticlesClickedCount "
        "uniqueSearchQueryCount clickThroughRate",
        "helpCenterId helpCenterEventType localeCodes articleId articleTitle "
        "articleSlug searchQuery searchResultRange",
        "timestamp",
        "articleViewCount searchRequestedQueryCount timestamp",
    ),
    "voice-calls": _scope("", "", "", f"{_CREATED} duration talkTime waitTime"),
    "voice-calls-summary": _scope("", "", "", ""),
    "voice-agent-events": _scope("voiceCallsCount", "", "", _CREATED),
    "voice-queue-exposure": _scope(
        "totalExposures achievedExposures breachedExposures slaAchievementRate",
        "agentId integrationId queueId queueName callSlaStatusLabel",
        "queuedDate",
        "totalExposures",
    ),
    **dict.fromkeys(_BY_EVENT_NAMES, _BY_EVENT),
}
