"""REST: thin routes under `/api/v1`. Each reads its input, calls a service, and answers in the form that existing clients
read. Errors are answered as `{error, message, request_id}`."""
