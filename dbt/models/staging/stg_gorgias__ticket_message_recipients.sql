{% for kind in ['to', 'cc', 'bcc'] -%}
select
  {{ gorgias.integer('message.id') }} as message_id,
  {{ gorgias.integer('message.ticket_id') }} as ticket_id,
  '{{ kind }}' as kind,
  {{ gorgias.item_value('recipient', 'name') }} as name,
  {{ gorgias.item_value('recipient', 'address') }} as address
from {{ gorgias.messages() }} as message
{{ gorgias.nested_items_of('message.source', kind, 'recipient') }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
