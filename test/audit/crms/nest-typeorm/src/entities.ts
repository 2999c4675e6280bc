@Entity('users')
export class User { @PrimaryGeneratedColumn() id: number; @Column() passwordHash: string }
@Entity('clients')
export class Client { @PrimaryGeneratedColumn() id: number; @Column() name: string }
@Entity('quotes')
export class Quote {
  @PrimaryGeneratedColumn() id: number
  @Column() number: string
  @Column({ type: 'enum', enum: ['draft', 'sent', 'accepted'] }) status: string
  @Column({ type: 'decimal' }) total: string
  @Column({ type: 'date' }) validUntil: Date
  @Column() shareToken: string
  @ManyToOne(() => Client) @JoinColumn({ name: 'client_id' }) client: Client
}
