{{ config(enabled=gorgias.is_loaded('events')) }}
select
  {{ gorgias.integer('id') }} as event_id,
  context,
  type,
  object_type,
  {{ gorgias.integer('object_id') }} as object_id,
  case when object_type = 'Ticket' then {{ gorgias.integer('object_id') }} end as ticket_id,
  {{ gorgias.integer('user_id') }} as user_id,
  {{ gorgias.free_value('data', 'assignee_user_id', 'integer') }} as assigned_agent_id,
  {{ gorgias.free_value('data', 'assignee_team_id', 'integer') }} as assigned_team_id,
  {{ gorgias.free_value('data', 'sla_policy_name') }} as sla_policy_name,
  {{ gorgias.instant('created_datetime') }} as created_datetime
from {{ source('gorgias', 'events') }}
