{#- The version of each day on which something counts. -#}

select date_day, {{ gorgias.fingerprint_of_rows(['ticket_id', 'row_version', 'figure']) }} as row_version
from {{ ref('int_gorgias__figures') }}
group by date_day
