{{ config(
  materialized='incremental',
  pre_hook=gorgias.hook("{{ gorgias.delete_outdated(this, ref('int_gorgias__day_versions'), 'date_day') }}"),
) }}
with figure as (
  select * from {{ gorgias.figures_of_missing_days() }} as figures where agent_id is not null
),

{{ gorgias.day_figures('figure', ['date_day', 'agent_id']) }}

select
  day_figures.*,
  agent.name as agent_name,
  agent.role as agent_role
from day_figures
left join {{ ref('stg_gorgias__users') }} as agent on agent.user_id = day_figures.agent_id
