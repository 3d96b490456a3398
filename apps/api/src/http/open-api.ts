import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The description of the API that its routes and schemas give. */
export function createOpenApiDocument(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('Rowhouse')
    .setDescription('Multi-tenant shop API. Errors are RFC 9457 problems; ids are opaque; money is in minor units.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, description);
}

/** Serves the description at `/openapi.json` and as a page at `/docs`. Made when first asked for: it takes some megabytes. */
export function installOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Rowhouse API',
  });
}
