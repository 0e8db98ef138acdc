with tag_of_ticket as (
  select
    {{ gorgias.integer('ticket.id') }} as ticket_id,
    {{ gorgias.item_value('tag', 'id', 'integer') }} as tag_id,
    {{ gorgias.item_value('tag', 'name') }} as tag_name
  from {{ source('gorgias', 'tickets') }} as ticket
  {{ gorgias.items_of('ticket.tags', 'tag') }}
)

select
  tag_of_ticket.ticket_id,
  tag_of_ticket.tag_id,
  {% if gorgias.is_loaded('tags') -%}
  coalesce(tags.name, tag_of_ticket.tag_name) as tag_name
from tag_of_ticket
left join {{ source('gorgias', 'tags') }} as tags on tags.id = tag_of_ticket.tag_id
  {%- else -%}
  tag_of_ticket.tag_name
from tag_of_ticket
  {%- endif %}
