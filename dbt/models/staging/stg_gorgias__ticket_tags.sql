select
  tag.ticket_id,
  tag.tag_id,
  {{ 'coalesce(tags.name, tag.tag_name)' if gorgias.is_loaded('tags') else 'tag.tag_name' }} as tag_name
from {{ ref('int_gorgias__ticket_tags') }} as tag
{%- if gorgias.is_loaded('tags') %}
left join {{ source('gorgias', 'tags') }} as tags on tags.id = tag.tag_id
{%- endif %}
