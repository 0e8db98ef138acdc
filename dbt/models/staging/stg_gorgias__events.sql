{{ config(enabled=gorgias.is_loaded('events')) }}
select
  id as event_id,
  context,
  type,
  object_type,
  object_id,
  case when object_type = 'Ticket' then object_id end as ticket_id,
  user_id,
  {{ gorgias.free_value('data', 'assignee_user_id', 'integer') }} as assigned_agent_id,
  {{ gorgias.free_value('data', 'assignee_team_id', 'integer') }} as assigned_team_id,
  {{ gorgias.free_value('data', 'sla_policy_name') }} as sla_policy_name,
  {{ gorgias.instant('created_datetime') }} as created_datetime
from {{ source('gorgias', 'events') }}
