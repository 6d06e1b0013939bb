import bcrypt from 'bcryptjs';
import { prisma } from '../src/db.js';

const categories = ['Kitchen', 'Garden', 'Office', 'Outdoor'];

async function main() {
  await prisma.user.create({
    data: {
      email: 'admin@shop.test',
      name: 'Admin',
      role: 'ADMIN',
      passwordHash: bcrypt.hashSync('admin-secret', 10),
    },
  });
  for (const name of categories) {
    const category = await prisma.category.create({ data: { name } });
    for (let i = 1; i <= 12; i++) {
      await prisma.product.create({
        data: {
          slug: `${name.toLowerCase()}-item-${i}`,
          name: `${name} item ${i}`,
          description: `A useful ${name.toLowerCase()} item.`,
          specs: `Weight: ${i * 100} g`,
          priceCents: 500 + i * 150,
          stock: 100,
          categoryId: category.id,
        },
      });
    }
  }
  await prisma.coupon.create({ data: { code: 'WELCOME10', percentOff: 10, remaining: 100 } });
  console.log('seeded');
}

main()
  .then(() => process.exit(0))
  .catch((err) => {
    console.error(err);
    process.exit(1);
  });
