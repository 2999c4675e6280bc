const app = await NestFactory.create(AppModule)
app.setGlobalPrefix('api')
