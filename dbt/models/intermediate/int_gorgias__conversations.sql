{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__ticket_versions')) }}"),
) }}
{#- Who wrote and answered when, a row for each ticket with messages. -#}

with missing as (
  {{ gorgias.missing(ref('int_gorgias__ticket_versions')) }}
),

message as (
  select message.*, missing.row_version
  from {{ ref('int_gorgias__messages') }} as message
  inner join missing on missing.ticket_id = message.ticket_id
),

question as (
  select ticket_id, min(created_datetime) as asked_datetime
  from message
  where author = 'customer' and is_public
  group by ticket_id
),

answer as (
  select
    message.ticket_id,
    message.author,
    message.sender_id,
    message.created_datetime,
    message.author in ('person', 'ai_agent', 'bot') as is_response,
    row_number() over (
      partition by message.ticket_id order by message.created_datetime, message.message_id
    ) as reply_number,
    row_number() over (
      partition by message.ticket_id, message.author in ('person', 'ai_agent', 'bot')
      order by message.created_datetime, message.message_id
    ) as response_number,
    row_number() over (
      partition by message.ticket_id, message.author
      order by message.created_datetime, message.message_id
    ) as author_number
  from message
  inner join question on question.ticket_id = message.ticket_id
  where message.author <> 'customer'
    and message.is_public
    and message.created_datetime > question.asked_datetime
),

first_answer as (
  select
    ticket_id,
    max(case when reply_number = 1 then created_datetime end) as first_reply_datetime,
    max(case when reply_number = 1 then author end) as first_reply_by,
    max(case when is_response and response_number = 1 then created_datetime end)
      as first_response_datetime,
    max(case when is_response and response_number = 1 then author end) as first_response_by,
    max(case when is_response and response_number = 1 then sender_id end)
      as first_response_agent_id,
    max(case when author = 'person' and author_number = 1 then created_datetime end)
      as first_human_response_datetime,
    max(case when author = 'person' and author_number = 1 then sender_id end)
      as first_human_response_agent_id
  from answer
  group by ticket_id
),

counted as (
  select
    ticket_id,
    row_version,
    count(*) as messages,
    sum(case when is_public and author = 'customer' then 1 else 0 end) as customer_messages,
    sum(case when is_public and author in ('person', 'ai_agent', 'bot') then 1 else 0 end)
      as agent_messages,
    sum(case when is_public and author = 'person' then 1 else 0 end) as human_messages,
    sum(case when is_public and author = 'ai_agent' then 1 else 0 end) as ai_agent_messages,
    sum(case when is_public and author = 'rule' then 1 else 0 end) as rule_messages,
    sum(case when is_public and author = 'outside' then 1 else 0 end) as outside_messages,
    sum(case when is_public then 0 else 1 end) as internal_notes,
    max(created_datetime) as last_message_datetime,
    max(case when author = 'customer' then created_datetime end) as last_customer_message_datetime
  from message
  group by ticket_id, row_version
)

select
  counted.*,
  question.asked_datetime,
  first_answer.first_reply_datetime,
  first_answer.first_reply_by,
  first_answer.first_response_datetime,
  first_answer.first_response_by,
  first_answer.first_response_agent_id,
  first_answer.first_human_response_datetime,
  first_answer.first_human_response_agent_id
from counted
left join question on question.ticket_id = counted.ticket_id
left join first_answer on first_answer.ticket_id = counted.ticket_id
