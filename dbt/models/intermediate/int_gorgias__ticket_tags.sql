{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, gorgias.versions_of_tags()) }}"),
) }}
{#- The tags of each ticket, as they were when it was read. -#}

with ticket as (
  select source.id, source.tags, missing.row_version
  from {{ source('gorgias', 'tickets') }} as source
  inner join ({{ gorgias.missing(gorgias.versions_of_tags()) }}) as missing on missing.ticket_id = source.id
)

select
  {{ gorgias.integer('ticket.id') }} as ticket_id,
  {{ gorgias.item_value('tag', 'id', 'integer') }} as tag_id,
  {{ gorgias.item_value('tag', 'name') }} as tag_name,
  ticket.row_version
from ticket
{{ gorgias.items_of('ticket.tags', 'tag') }}
