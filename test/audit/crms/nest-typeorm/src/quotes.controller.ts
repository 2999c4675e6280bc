@Controller('quotes')
@UseGuards(JwtAuthGuard)
export class QuotesController {
  @Get() list() { return this.quotes.find() }
  @Post(':id/approve') approve(@Param('id') id: number) { return this.quotes.update(id, { status: 'accepted' }) }
}
@Controller('public/quotes')
export class PublicQuotesController {
  @Get(':token') show(@Param('token') token: string) { return this.quotes.findOne({ shareToken: token }) }
  @Post(':token/accept') accept(@Param('token') token: string) { return this.quotes.update({ shareToken: token }, { status: 'accepted' }) }
}
