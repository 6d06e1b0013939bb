use super::{chains, report, table};

const USERS: (&str, &str) = (
    "src/users.controller.ts",
    "import { Controller, Get, Post, Body, UseGuards, UseInterceptors, applyDecorators } from '@nestjs/common';\nimport { AuthGuard, RolesGuard, Log } from './around';\nexport const Auth = () => applyDecorators(UseGuards(AuthGuard), Other());\nabstract class Base {\n  @Get('health') health() {}\n}\n@Auth()\n@Controller('users')\nexport class UsersController extends Base {\n  constructor(private readonly users: UsersService) { super(); }\n  @Get() list() {}\n  @UseGuards(RolesGuard)\n  @UseInterceptors(new Log())\n  @Post(':id/items') add(@Body() body: any) {}\n  private helper() {}\n}\n",
);

const AROUND: (&str, &str) = (
    "src/around.ts",
    "export class AuthGuard { canActivate() {} }\nexport class RolesGuard { canActivate() {} }\nexport class Log { intercept() {} }\nexport class Throttler { canActivate() {} }\nexport class Trace { use(req, res, next) {} }\n",
);

const MODULE: (&str, &str) = (
    "src/app.module.ts",
    "import { Module } from '@nestjs/common';\nimport { APP_GUARD } from '@nestjs/core';\nimport { UsersController } from './users.controller';\nimport { Throttler, Trace } from './around';\n@Module({ controllers: [UsersController], providers: [{ provide: APP_GUARD, useClass: Throttler }] })\nexport class AppModule {\n  configure(consumer) { consumer.apply(Trace).forRoutes(UsersController); }\n}\n",
);

const MAIN: (&str, &str) = (
    "src/main.ts",
    "import { NestFactory } from '@nestjs/core';\nimport { VersioningType, ValidationPipe } from '@nestjs/common';\nimport helmet from 'helmet';\nimport { AppModule } from './app.module';\nasync function bootstrap() {\n  const app = await NestFactory.create(AppModule);\n  app.setGlobalPrefix('api');\n  app.use(helmet());\n  app.useGlobalPipes(new ValidationPipe());\n  await app.listen(3000);\n}\nbootstrap();\n",
);

#[test]
fn controllers_have_the_global_prefix_and_inherit_methods() {
    let rows = table(&[USERS, AROUND, MODULE, MAIN]);
    assert_eq!(
        rows,
        [
            "GET /api/users src/users.controller.ts:11",
            "GET /api/users/health src/users.controller.ts:5",
            "POST /api/users/:id/items src/users.controller.ts:14",
        ]
    );
}

#[test]
fn guards_interceptors_and_pipes_run_from_the_application_inwards() {
    let rows = chains(&[USERS, AROUND, MODULE, MAIN]);
    assert_eq!(rows[0], "GET /api/users: helmet(), Trace, Throttler, AuthGuard, new ValidationPipe()");
    assert_eq!(
        rows[1],
        "POST /api/users/:id/items: helmet(), Trace, Throttler, AuthGuard, RolesGuard, new Log(), new ValidationPipe()"
    );
}

#[test]
fn versions_and_paths_of_modules_are_part_of_the_path() {
    let rows = table(&[(
        "src/main.ts",
        "import { NestFactory, RouterModule } from '@nestjs/core';\nimport { Controller, Get, Module, Version, VERSION_NEUTRAL } from '@nestjs/common';\n@Controller({ path: 'cats', version: '2' })\nclass Cats {\n  @Get() all() {}\n  @Version('3') @Get(['one', 'uno']) one() {}\n}\n@Controller('dogs')\nclass Dogs { @Get() all() {} }\n@Controller({ path: 'health', version: VERSION_NEUTRAL })\nclass Health { @Get() all() {} }\n@Module({ controllers: [Dogs] })\nclass Inner {}\n@Module({ imports: [Inner, RouterModule.register([{ path: 'admin', module: Inner }])], controllers: [Cats, Health] })\nclass App {}\nNestFactory.create(App).then((app) => { app.enableVersioning({ defaultVersion: '1' }); });\n",
    )]);
    assert_eq!(
        rows,
        [
            "GET /health src/main.ts:11",
            "GET /v1/admin/dogs src/main.ts:9",
            "GET /v2/cats src/main.ts:5",
            "GET /v3/cats/one src/main.ts:6",
            "GET /v3/cats/uno src/main.ts:6",
        ]
    );
}

#[test]
fn resolvers_patterns_messages_jobs_and_schedules_are_entries() {
    let rows = table(&[(
        "src/all.ts",
        "import { Resolver, Query, Mutation, ResolveField } from '@nestjs/graphql';\nimport { MessagePattern, EventPattern, GrpcMethod } from '@nestjs/microservices';\nimport { WebSocketGateway, SubscribeMessage } from '@nestjs/websockets';\nimport { Processor, Process } from '@nestjs/bull';\nimport { Processor as Worker, WorkerHost } from '@nestjs/bullmq';\nimport { Cron, CronExpression, Interval } from '@nestjs/schedule';\nimport { Controller } from '@nestjs/common';\nclass Post {}\n@Resolver(() => Post)\nclass Posts {\n  @Query(() => [Post], { name: 'posts' }) all() {}\n  @Mutation(() => Post) addPost() {}\n  @ResolveField() author() {}\n}\n@Controller()\nclass Patterns {\n  @MessagePattern({ cmd: 'sum' }) sum() {}\n  @EventPattern('created') created() {}\n  @GrpcMethod('Heroes', 'FindOne') findOne() {}\n}\n@WebSocketGateway({ namespace: 'chat' })\nclass Chat {\n  handleConnection(client) {}\n  @SubscribeMessage('send') send(client, data) {}\n}\n@Processor('mail')\nclass Mail {\n  @Process('welcome') welcome(job) {}\n  @Process() other(job) {}\n}\n@Worker('video')\nclass Video extends WorkerHost {\n  async process(job) {}\n}\nclass Tasks {\n  @Cron(CronExpression.EVERY_MINUTE) minute() {}\n  @Cron('0 0 * * *') day() {}\n  @Interval(5000) often() {}\n}\n",
    )]);
    assert_eq!(
        rows,
        [
            "CONNECT /chat src/all.ts:23",
            "CRON 0 0 * * * src/all.ts:37",
            "CRON EVERY_MINUTE src/all.ts:36",
            "CRON every 5000 ms src/all.ts:38",
            "FIELD Post.author src/all.ts:13",
            "JOB mail src/all.ts:29",
            "JOB mail:welcome src/all.ts:28",
            "JOB video src/all.ts:33",
            "MUTATION addPost src/all.ts:12",
            "QUERY posts src/all.ts:11",
            "RPC Heroes.FindOne src/all.ts:19",
            "RPC created src/all.ts:18",
            "RPC sum src/all.ts:17",
            "SOCKET send src/all.ts:24",
        ]
    );
}

#[test]
fn type_graphql_classes_are_resolvers() {
    let rows = table(&[(
        "src/user.ts",
        "import { Arg, FieldResolver, Mutation, Query, Resolver, UseMiddleware } from 'type-graphql';\nclass User {}\nconst isAuth = (data, next) => next();\n@Resolver(User)\nexport class UserResolver {\n  @FieldResolver() email() {}\n  @UseMiddleware(isAuth) @Query(() => [User]) users() {}\n  @Mutation(() => User) register(@Arg('input') input) {}\n}\n",
    )]);
    assert_eq!(
        rows,
        ["FIELD User.email src/user.ts:6", "MUTATION register src/user.ts:8", "QUERY users src/user.ts:7"]
    );
}

#[test]
fn controllers_of_no_module_are_mounted_nowhere_and_lookalikes_are_none() {
    let files = [
        (
            "src/a.ts",
            "import { Controller, Get } from '@nestjs/common';\nimport { Get as Fetch } from './own';\n@Controller('dead') class Dead { @Get() a() {} }\nclass Plain { @Fetch('x') b() {} }\n@Controller('x') class Empty { c() {} }\n",
        ),
        ("src/own.ts", "export const Get = (path) => (target, key) => {};\n"),
    ];
    assert_eq!(table(&files), ["GET /dead src/a.ts:3"]);
    assert_eq!(report(&files)[0]["mounted"], false);
}
