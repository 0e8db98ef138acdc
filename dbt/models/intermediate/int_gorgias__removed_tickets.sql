{#- Tickets that no longer exist. An event `ticket-merged` may name the ticket that was
merged into another, or the one that remains: Gorgias does not say. The one that remains
changes with the merge, so a ticket that did not is the merged one. If the event names
the one that remains, the other has lost all its messages. -#}

{%- if gorgias.is_loaded('deletions') -%}
with removal as (
  select
    case deletion.type
      when 'ticket-deleted' then deletion.object_id
      when 'ticket-merged' then coalesce(deletion.source_object_id, deletion.object_id)
    end as ticket_id,
    max(case when deletion.type = 'ticket-deleted' then 1 else 0 end) as deletions,
    max(case
      when deletion.type = 'ticket-merged' and deletion.source_object_id is not null then 1 else 0
    end) as merges,
    max(case
      when deletion.type = 'ticket-merged' and deletion.source_object_id is null
        then {{ gorgias.instant('deletion.created_datetime') }}
    end) as merge_datetime
  from {{ source('gorgias', 'deletions') }} as deletion
  where deletion.type in ('ticket-deleted', 'ticket-merged')
  group by 1
),

named as (
  select
    {{ gorgias.integer('ticket.id') }} as ticket_id,
    removal.deletions = 1 as is_deleted,
    removal.merges = 1
      or coalesce(
        {{ gorgias.instant('ticket.updated_datetime') }}
        < {{ gorgias.minutes_after('removal.merge_datetime', -1) }},
        false
      ) as is_merged,
    removal.merge_datetime
  from removal
  inner join {{ source('gorgias', 'tickets') }} as ticket on ticket.id = removal.ticket_id
),

last_merge as (
  select max(merge_datetime) as merge_datetime
  from named
  where not is_deleted and not is_merged
),

emptied as (
  select {{ gorgias.integer('ticket.id') }} as ticket_id
  from {{ source('gorgias', 'tickets') }} as ticket
  cross join last_merge
  left join (select distinct ticket_id from {{ gorgias.messages() }}) as conversation
    on conversation.ticket_id = ticket.id
  where conversation.ticket_id is null
    and ticket.messages_count > 0
    and {{ gorgias.instant('ticket.updated_datetime') }} < last_merge.merge_datetime
)

select
  ticket_id,
  max(case when is_deleted then 1 else 0 end) = 1 as is_deleted,
  max(case when is_deleted then 1 else 0 end) = 0 as is_merged
from (
  select ticket_id, is_deleted, is_merged from named where is_deleted or is_merged
  union all
  select ticket_id, false as is_deleted, true as is_merged from emptied
) as removed
group by ticket_id
{%- else -%}
select
  {{ gorgias.null_as('integer') }} as ticket_id,
  {{ gorgias.null_as('boolean') }} as is_deleted,
  {{ gorgias.null_as('boolean') }} as is_merged
{{ gorgias.no_rows() }}
{%- endif %}
