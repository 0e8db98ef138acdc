select
  ticket.id as ticket_id,
  {{ gorgias.item_value('tag', 'id', 'integer') }} as tag_id,
  {{ gorgias.item_value('tag', 'name') }} as tag_name
from {{ source('gorgias', 'tickets') }} as ticket
{{ gorgias.items_of('ticket.tags', 'tag') }}
