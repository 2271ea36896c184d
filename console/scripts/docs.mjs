// Puts the API's interactive page beside the console: Swagger UI, bundled, without a foreign host and without inline script.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';

const from = new URL('../node_modules/swagger-ui-dist/', import.meta.url);
const to = new URL('../dist/docs/', import.meta.url);
mkdirSync(to, { recursive: true });
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) copyFileSync(new URL(file, from), new URL(file, to));
writeFileSync(
  new URL('index.html', to),
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Tenantry API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/init.js"></script>
</body>
</html>
`,
);
writeFileSync(
  new URL('init.js', to),
  `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#ui', deepLinking: true, docExpansion: 'none', filter: true, validatorUrl: null, tryItOutEnabled: true });
`,
);
