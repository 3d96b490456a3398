import { environmentSchema } from './environment.schema.js';

/** The text of `.env.example`: every variable with its meaning, all of them optional to try Rowhouse. */
export function renderEnvExample(): string {
  const lines = Object.entries(environmentSchema.shape).map(([name, field]) => {
    const fallback = field.safeParse(undefined);
    const value = fallback.success && fallback.data !== undefined ? String(fallback.data) : '';
    return `# ${field.description}\n#${name}=${value}\n`;
  });
  return ['# Copy to .env and take away the "#" of what you set. `npm start` needs none of it.\n', ...lines].join('\n');
}
