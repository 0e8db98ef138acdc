with ticket as (
  select ticket_id, status, created_datetime, closed_datetime, updated_datetime
  from {{ ref('gorgias_tickets') }}
),

change as (
  select ticket_id, 'created' as kind, 1 as is_open, created_datetime as moment, 0 as priority
  from ticket

  {% if gorgias.is_loaded('events') -%}
  union all
  select
    event.ticket_id,
    'event' as kind,
    case when event.type = 'ticket-closed' then 0 else 1 end as is_open,
    event.created_datetime as moment,
    1 as priority
  from {{ ref('stg_gorgias__events') }} as event
  inner join ticket on ticket.ticket_id = event.ticket_id
  where event.type in ('ticket-closed', 'ticket-reopened')
    and event.created_datetime >= ticket.created_datetime
    and event.created_datetime <= ticket.updated_datetime
  {%- endif %}

  union all
  select
    ticket_id,
    'status' as kind,
    0 as is_open,
    case when closed_datetime >= created_datetime then closed_datetime else created_datetime end as moment,
    2 as priority
  from ticket
  where status = 'closed'
),

{#- The state of a ticket must end as its status says, whatever events were read. -#}
last_change as (
  select
    change.*,
    row_number() over (
      partition by ticket_id order by moment desc, priority desc, is_open
    ) as recency
  from change
),

corrected as (
  select ticket_id, kind, is_open, moment, priority from change
  union all
  select
    ticket.ticket_id,
    'status' as kind,
    case when ticket.status = 'closed' then 0 else 1 end as is_open,
    ticket.updated_datetime as moment,
    3 as priority
  from ticket
  inner join last_change on last_change.ticket_id = ticket.ticket_id and last_change.recency = 1
  where last_change.is_open <> case when ticket.status = 'closed' then 0 else 1 end
),

source as (
  select ticket_id, max(case when kind = 'event' then 1 else 0 end) as has_events
  from change
  group by ticket_id
),

day_end as (
  select
    ticket_id,
    is_open,
    {{ gorgias.local_date('moment') }} as date_day,
    row_number() over (
      partition by ticket_id, {{ gorgias.local_date('moment') }}
      order by moment desc, priority desc, is_open
    ) as recency
  from corrected
),

step as (
  select
    day_end.ticket_id,
    day_end.date_day,
    day_end.is_open
      - coalesce(lag(day_end.is_open) over (partition by day_end.ticket_id order by day_end.date_day), 0)
      as difference
  from day_end
  where day_end.recency = 1
),

by_day as (
  select
    step.date_day,
    sum(step.difference) as difference,
    sum(case when source.has_events = 1 then step.difference else 0 end) as difference_from_events
  from step
  inner join source on source.ticket_id = step.ticket_id
  group by step.date_day
),

span as (
  select min(date_day) as first_date, max(date_day) as last_date
  from (
    select date_day from by_day
    union all
    select {{ gorgias.local_date('updated_datetime') }} as date_day from ticket
  ) as days
),

calendar as (
  {{ gorgias.dates_of('span') }}
),

total as (
  select
    calendar.date_day,
    cast(sum(coalesce(by_day.difference, 0)) over (
      order by calendar.date_day rows between unbounded preceding and current row
    ) as {{ dbt.type_bigint() }}) as open_tickets,
    cast(sum(coalesce(by_day.difference_from_events, 0)) over (
      order by calendar.date_day rows between unbounded preceding and current row
    ) as {{ dbt.type_bigint() }}) as open_tickets_from_events
  from calendar
  left join by_day on by_day.date_day = calendar.date_day
)

select
  date_day,
  open_tickets,
  open_tickets_from_events,
  open_tickets - open_tickets_from_events as open_tickets_from_dates,
  case
    when open_tickets_from_events = 0 then 'dates'
    when open_tickets_from_events = open_tickets then 'events'
    else 'both'
  end as source
from total
