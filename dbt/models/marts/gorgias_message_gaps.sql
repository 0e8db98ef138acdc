with loaded as (
  select ticket_id, count(*) as messages_loaded
  from {{ ref('int_gorgias__messages') }}
  group by ticket_id
)

select
  ticket.ticket_id,
  ticket.messages_count,
  coalesce(loaded.messages_loaded, 0) as messages_loaded,
  ticket.messages_count - coalesce(loaded.messages_loaded, 0) as messages_missing
from {{ ref('stg_gorgias__tickets') }} as ticket
left join loaded on loaded.ticket_id = ticket.ticket_id
where ticket.is_current and ticket.messages_count <> coalesce(loaded.messages_loaded, 0)
