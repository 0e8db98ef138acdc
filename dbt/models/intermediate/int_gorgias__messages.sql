{#- Messages without their texts, and who wrote each. -#}

select
  message.message_id,
  message.ticket_id,
  message.channel,
  message.via,
  message.is_public,
  message.sender_id,
  case
    when not message.is_from_agent then 'customer'
    when message.rule_id is not null or message.via = 'rule' then 'rule'
    when author.role in {{ gorgias.text_list(var('gorgias_ai_agent_roles')) }}
      or lower(message.sender_email) in {{ gorgias.text_list(var('gorgias_ai_agent_emails')) }}
      then 'ai_agent'
    when author.role in {{ gorgias.text_list(var('gorgias_bot_roles')) }} then 'bot'
    when message.via in {{ gorgias.text_list(var('gorgias_outside_vias')) }} then 'outside'
    else 'person'
  end as author,
  message.created_datetime
from {{ ref('stg_gorgias__ticket_messages') }} as message
left join {{ ref('stg_gorgias__users') }} as author
  on author.user_id = case when message.is_from_agent then message.sender_id end
