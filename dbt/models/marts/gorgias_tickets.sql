{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__ticket_versions')) }}"),
) }}
with missing as (
  {{ gorgias.missing(ref('int_gorgias__ticket_versions')) }}
),

ticket as (
  select ticket.*, missing.row_version
  from {{ ref('stg_gorgias__tickets') }} as ticket
  inner join missing on missing.ticket_id = ticket.ticket_id
  where ticket.is_current
),

tag as (
  select
    tag.ticket_id,
    {{ dbt.listagg('tag.tag_name', "', '", 'order by tag.tag_id') }} as tags,
    count(*) as number_of_tags
  from {{ ref('stg_gorgias__ticket_tags') }} as tag
  inner join missing on missing.ticket_id = tag.ticket_id
  group by tag.ticket_id
),

field as (
  select
    ticket_id,
    max(case when managed_type = 'managed_sentiment' then value end) as sentiment
    {{- gorgias.custom_field_columns('gorgias_ticket_custom_fields', 'value_of') }}
  from ({{ gorgias.custom_field_values('ticket', among='missing') }}) as value_of
  group by ticket_id
)

{%- if gorgias.is_loaded('events') %},

reopening as (
  select ticket_id, count(*) as times_reopened
  from {{ ref('stg_gorgias__events') }}
  where type = 'ticket-reopened' and ticket_id is not null
  group by ticket_id
)
{%- endif %}
{%- if gorgias.is_loaded('satisfaction_surveys') %},

survey as (
  select
    *,
    row_number() over (partition by ticket_id order by created_datetime desc, survey_id desc) as recency
  from {{ ref('stg_gorgias__satisfaction_surveys') }}
)
{%- endif %}
{%- if gorgias.is_loaded('voice_calls') %},

phone as (
  select ticket_id, count(*) as calls, sum(duration_seconds) as call_seconds
  from {{ ref('stg_gorgias__voice_calls') }}
  where ticket_id is not null
  group by ticket_id
)
{%- endif %}

select
  ticket.ticket_id,
  ticket.external_id,
  ticket.status,
  ticket.priority,
  ticket.channel,
  ticket.via,
  ticket.is_from_agent,
  coalesce(removed_customer.merged_into_customer_id, ticket.customer_id) as customer_id,
  lower(coalesce(customer.email, ticket.customer_email)) as customer_email,
  ticket.agent_id,
  coalesce(agent.name, ticket.agent_name) as agent_name,
  ticket.team_id,
  {{ 'coalesce(team.name, ticket.team_name)' if gorgias.is_loaded('teams') else 'ticket.team_name' }} as team_name,
  ticket.subject,
  ticket.language,
  field.sentiment,
  tag.tags,
  coalesce(tag.number_of_tags, 0) as number_of_tags,
  {{ gorgias.local_date('ticket.created_datetime') }} as created_date,
  ticket.created_datetime,
  ticket.updated_datetime,
  case when ticket.status = 'closed' then {{ gorgias.local_date('ticket.closed_datetime') }} end as closed_date,
  case when ticket.status = 'closed' then ticket.closed_datetime end as closed_datetime,
  ticket.snooze_datetime,
  conversation.asked_datetime,
  {% for name in ['first_reply', 'first_response', 'first_human_response'] -%}
  case when not ticket.is_from_agent then conversation.{{ name }}_datetime end as {{ name }}_datetime,
  case when not ticket.is_from_agent then {{ gorgias.seconds_between('conversation.asked_datetime', 'conversation.' ~ name ~ '_datetime') }} end
    as {{ name }}_seconds,
  case when not ticket.is_from_agent then business.{{ name }}_business_seconds end as {{ name }}_business_seconds,
  {% endfor -%}
  case when not ticket.is_from_agent then conversation.first_reply_by end as first_reply_by,
  case when not ticket.is_from_agent then conversation.first_response_by end as first_response_by,
  case when not ticket.is_from_agent then conversation.first_response_agent_id end as first_response_agent_id,
  case when not ticket.is_from_agent then conversation.first_human_response_agent_id end as first_human_response_agent_id,
  case
    when ticket.status = 'closed' and ticket.closed_datetime >= conversation.asked_datetime
      then {{ gorgias.seconds_between('conversation.asked_datetime', 'ticket.closed_datetime') }}
  end as resolution_seconds,
  case
    when ticket.status = 'closed' and ticket.closed_datetime >= conversation.asked_datetime
      then business.resolution_business_seconds
  end as resolution_business_seconds,
  {% for name in [
    'messages', 'customer_messages', 'agent_messages', 'human_messages', 'ai_agent_messages',
    'rule_messages', 'outside_messages', 'internal_notes',
  ] -%}
  coalesce(conversation.{{ name }}, 0) as {{ name }},
  {% endfor -%}
  conversation.last_message_datetime,
  conversation.last_customer_message_datetime,
  ticket.status = 'closed' and coalesce(conversation.agent_messages, 0) = 1 as is_one_touch,
  {% if gorgias.is_loaded('events') -%}
  coalesce(reopening.times_reopened, 0) as times_reopened,
  {% else -%}
  {{ gorgias.null_as('integer') }} as times_reopened,
  {% endif -%}
  {% if gorgias.is_loaded('satisfaction_surveys') -%}
  survey.score as satisfaction_score,
  survey.sent_datetime as survey_sent_datetime,
  survey.scored_datetime as survey_scored_datetime,
  {% else -%}
  {{ gorgias.null_as('float') }} as satisfaction_score,
  {{ gorgias.null_as('timestamp') }} as survey_sent_datetime,
  {{ gorgias.null_as('timestamp') }} as survey_scored_datetime,
  {% endif -%}
  {% if gorgias.is_loaded('voice_calls') -%}
  coalesce(phone.calls, 0) as calls,
  coalesce(phone.call_seconds, 0) as call_seconds
  {%- else -%}
  {{ gorgias.null_as('integer') }} as calls,
  {{ gorgias.null_as('integer') }} as call_seconds
  {%- endif %}
  {{- gorgias.custom_field_names('gorgias_ticket_custom_fields', 'field') }},
  ticket.row_version
from ticket
left join {{ ref('int_gorgias__conversations') }} as conversation on conversation.ticket_id = ticket.ticket_id
left join {{ ref('int_gorgias__business_times') }} as business on business.ticket_id = ticket.ticket_id
left join {{ ref('int_gorgias__removed_customers') }} as removed_customer
  on removed_customer.customer_id = ticket.customer_id
left join {{ source('gorgias', 'customers') }} as customer
  on customer.id = coalesce(removed_customer.merged_into_customer_id, ticket.customer_id)
left join {{ ref('stg_gorgias__users') }} as agent on agent.user_id = ticket.agent_id
{%- if gorgias.is_loaded('teams') %}
left join {{ ref('stg_gorgias__teams') }} as team on team.team_id = ticket.team_id
{%- endif %}
left join tag on tag.ticket_id = ticket.ticket_id
left join field on field.ticket_id = ticket.ticket_id
{%- if gorgias.is_loaded('events') %}
left join reopening on reopening.ticket_id = ticket.ticket_id
{%- endif %}
{%- if gorgias.is_loaded('satisfaction_surveys') %}
left join survey on survey.ticket_id = ticket.ticket_id and survey.recency = 1
{%- endif %}
{%- if gorgias.is_loaded('voice_calls') %}
left join phone on phone.ticket_id = ticket.ticket_id
{%- endif %}
