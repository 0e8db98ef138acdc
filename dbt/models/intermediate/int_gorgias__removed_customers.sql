{#- Customers that no longer exist, and the one that each was merged into in the end. -#}

{%- if gorgias.is_loaded('deletions') -%}
with recursive merge_event as (
  select
    {{ gorgias.integer('source_object_id') }} as customer_id,
    {{ gorgias.integer('max(target_object_id)') }} as target_id
  from {{ source('gorgias', 'deletions') }}
  where type = 'customer-merged' and source_object_id is not null
  group by source_object_id
),

path as (
  select customer_id, target_id, 1 as steps
  from merge_event
  union all
  select path.customer_id, merge_event.target_id, path.steps + 1 as steps
  from path
  inner join merge_event on merge_event.customer_id = path.target_id
  where path.steps < 100
),

farthest as (
  select customer_id, max(steps) as steps from path group by customer_id
),

merged as (
  select path.customer_id, path.target_id
  from path
  inner join farthest on farthest.customer_id = path.customer_id and farthest.steps = path.steps
),

deleted as (
  select distinct {{ gorgias.integer('object_id') }} as customer_id
  from {{ source('gorgias', 'deletions') }}
  where type = 'customer-deleted'
)

select
  coalesce(merged.customer_id, deleted.customer_id) as customer_id,
  merged.customer_id is null as is_deleted,
  merged.target_id as merged_into_customer_id
from deleted
full outer join merged on merged.customer_id = deleted.customer_id
{%- else -%}
select
  {{ gorgias.null_as('integer') }} as customer_id,
  {{ gorgias.null_as('boolean') }} as is_deleted,
  {{ gorgias.null_as('integer') }} as merged_into_customer_id
{{ gorgias.no_rows() }}
{%- endif %}
