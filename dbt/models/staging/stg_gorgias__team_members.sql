{{ config(enabled=gorgias.is_loaded('teams')) }}
select
  {{ gorgias.integer('team.id') }} as team_id,
  team.name as team_name,
  {{ gorgias.item_value('member', 'id', 'integer') }} as user_id,
  {{ gorgias.item_value('member', 'name') }} as user_name,
  {{ gorgias.item_value('member', 'email') }} as user_email
from {{ source('gorgias', 'teams') }} as team
{{ gorgias.items_of('team.members', 'member') }}
