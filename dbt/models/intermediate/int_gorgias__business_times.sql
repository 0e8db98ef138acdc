{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__conversations')) }}"),
) }}
{#- Seconds in business hours from the first message of a customer to the responses and
to the closing. The business time of a moment is the time that was open until then. -#}

with missing as (
  {{ gorgias.missing(ref('int_gorgias__conversations')) }}
),

conversation as (
  select conversation.*
  from {{ ref('int_gorgias__conversations') }} as conversation
  inner join missing on missing.ticket_id = conversation.ticket_id
),

zone as (
  select max(timezone) as timezone from {{ ref('int_gorgias__business_periods') }}
),

moment as (
  {% for name in ['asked', 'first_reply', 'first_response', 'first_human_response'] -%}
  select ticket_id, '{{ name }}' as name, {{ name }}_datetime as moment
  from conversation
  where {{ name }}_datetime is not null
  union all
  {% endfor -%}
  select ticket.ticket_id, 'closed' as name, ticket.closed_datetime as moment
  from {{ ref('stg_gorgias__tickets') }} as ticket
  inner join missing on missing.ticket_id = ticket.ticket_id
  where ticket.status = 'closed' and ticket.closed_datetime is not null
),

local_moment as (
  select
    moment.*,
    {{ gorgias.date_in('moment.moment', 'zone.timezone') }} as date_day
  from moment
  cross join zone
  where zone.timezone is not null
),

business_time as (
  select
    local_moment.ticket_id,
    local_moment.name,
    max(period.seconds_before) + sum(case
      when local_moment.moment > period.opening_datetime
        then {{ gorgias.seconds_between('period.opening_datetime', 'least(local_moment.moment, period.closing_datetime)') }}
      else 0
    end) as seconds
  from local_moment
  inner join {{ ref('int_gorgias__business_periods') }} as period
    on period.date_day = local_moment.date_day
  group by local_moment.ticket_id, local_moment.name
),

by_ticket as (
  select
    ticket_id
    {%- for name in ['asked', 'first_reply', 'first_response', 'first_human_response', 'closed'] %},
    max(case when name = '{{ name }}' then seconds end) as {{ name }}
    {%- endfor %}
  from business_time
  group by ticket_id
)

select
  by_ticket.ticket_id,
  missing.row_version,
  cast(first_reply - asked as {{ dbt.type_bigint() }}) as first_reply_business_seconds,
  cast(first_response - asked as {{ dbt.type_bigint() }}) as first_response_business_seconds,
  cast(first_human_response - asked as {{ dbt.type_bigint() }}) as first_human_response_business_seconds,
  cast(case when closed >= asked then closed - asked end as {{ dbt.type_bigint() }}) as resolution_business_seconds
from by_ticket
inner join missing on missing.ticket_id = by_ticket.ticket_id
