"""REST: thin routes under `/api/v1`. Each reads its input, asks a service, and answers in the shapes that
existing clients read. What is wrong is answered as `{error, message, request_id}`."""
