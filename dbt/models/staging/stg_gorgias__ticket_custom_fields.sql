{{ gorgias.custom_field_values('ticket') }}
