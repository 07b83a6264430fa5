// The viewer on the document that this service serves. What is tried goes to this service alone; a token that is
// entered is forgotten with the page.
"use strict";
SwaggerUIBundle({
  url: "v1/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  requestSnippetsEnabled: true,
  validatorUrl: null,
});
