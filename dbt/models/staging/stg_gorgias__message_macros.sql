select
  {{ gorgias.integer('message.id') }} as message_id,
  {{ gorgias.integer('message.ticket_id') }} as ticket_id,
  {{ gorgias.item_value('macro', 'id', 'integer') }} as macro_id
from {{ gorgias.messages() }} as message
{{ gorgias.items_of('message.macros', 'macro') }}
