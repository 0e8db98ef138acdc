{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('gorgias_tickets')) }}"),
) }}
{#- All that is counted or measured by day, in one table: a row is one ticket, message,
duration or score. The models of days only add up. -#}

with missing as (
  {{ gorgias.missing(ref('gorgias_tickets'), first="figure = 'ticket_created'") }}
),

ticket as (
  select ticket.*
  from {{ ref('gorgias_tickets') }} as ticket
  inner join missing on missing.ticket_id = ticket.ticket_id
),

figure as (
  select
    'ticket_created' as figure, ticket_id, agent_id, channel, created_date as date_day,
    created_date as statistics_date,
    {{ gorgias.null_as('float') }} as number, {{ gorgias.null_as('float') }} as business_number
  from ticket

  union all
  select
    'ticket_closed' as figure, ticket_id, agent_id, channel, closed_date as date_day,
    closed_date as statistics_date,
    {{ gorgias.null_as('float') }} as number, {{ gorgias.null_as('float') }} as business_number
  from ticket
  where status = 'closed' and closed_date is not null

  union all
  select
    'one_touch' as figure, ticket_id, agent_id, channel, closed_date as date_day,
    closed_date as statistics_date,
    {{ gorgias.null_as('float') }} as number, {{ gorgias.null_as('float') }} as business_number
  from ticket
  where is_one_touch and closed_date is not null

  union all
  select
    'first_response' as figure, ticket_id, first_response_agent_id as agent_id, channel,
    {{ gorgias.local_date('first_response_datetime') }} as date_day,
    {{ gorgias.local_date('first_response_datetime') }} as statistics_date,
    cast(first_response_seconds as {{ gorgias.type_double() }}) as number,
    cast(first_response_business_seconds as {{ gorgias.type_double() }}) as business_number
  from ticket
  where first_response_seconds is not null

  union all
  select
    'resolution' as figure, ticket_id, agent_id, channel, closed_date as date_day,
    created_date as statistics_date,
    cast(resolution_seconds as {{ gorgias.type_double() }}) as number,
    cast(resolution_business_seconds as {{ gorgias.type_double() }}) as business_number
  from ticket
  where resolution_seconds is not null

  union all
  select
    case when message.author = 'customer' then 'message_received' else 'message_sent' end as figure,
    message.ticket_id,
    case when message.author = 'customer' then ticket.agent_id else message.sender_id end as agent_id,
    ticket.channel,
    {{ gorgias.local_date('message.created_datetime') }} as date_day,
    {{ gorgias.local_date('message.created_datetime') }} as statistics_date,
    {{ gorgias.null_as('float') }} as number, {{ gorgias.null_as('float') }} as business_number
  from {{ ref('int_gorgias__messages') }} as message
  inner join ticket on ticket.ticket_id = message.ticket_id
  where message.is_public and message.author in ('customer', 'person', 'ai_agent', 'bot')

  {% if gorgias.is_loaded('satisfaction_surveys') -%}
  union all
  select
    'survey_sent' as figure, ticket.ticket_id, ticket.agent_id, ticket.channel,
    {{ gorgias.local_date('survey.sent_datetime') }} as date_day,
    {{ gorgias.local_date('survey.created_datetime') }} as statistics_date,
    {{ gorgias.null_as('float') }} as number, {{ gorgias.null_as('float') }} as business_number
  from {{ ref('stg_gorgias__satisfaction_surveys') }} as survey
  inner join ticket on ticket.ticket_id = survey.ticket_id
  where survey.sent_datetime is not null

  union all
  select
    'score' as figure, ticket.ticket_id, ticket.agent_id, ticket.channel,
    {{ gorgias.local_date('coalesce(survey.scored_datetime, survey.sent_datetime, survey.created_datetime)') }} as date_day,
    {{ gorgias.local_date('survey.created_datetime') }} as statistics_date,
    survey.score as number, {{ gorgias.null_as('float') }} as business_number
  from {{ ref('stg_gorgias__satisfaction_surveys') }} as survey
  inner join ticket on ticket.ticket_id = survey.ticket_id
  where survey.score is not null
  {%- endif %}
)

select figure.*, missing.row_version
from figure
inner join missing on missing.ticket_id = figure.ticket_id
